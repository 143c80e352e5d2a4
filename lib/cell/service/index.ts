/** `cell-factory/cell`: what authors of components build on. */

export { CELL_PARAMETERS, type CellParameter, SERVICE_PORT } from '../../plan/cell-parameters.ts';
export { CellService, type CellServiceProps } from './cell-service.ts';
