/** `cell-factory/cell`: what authors of components build on. */
export { CellService, type CellServiceProps } from './cell-service.ts';
export { CELL_PARAMETERS, type CellParameter, SERVICE_PORT } from './parameters.ts';
