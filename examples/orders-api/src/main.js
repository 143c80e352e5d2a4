import { createOrdersServer } from './server.js';

const { CELL_NAME = 'none', CELL_STAGE = 'none', CELL_REGION = 'none', PORT = '8080' } = process.env;
const { COMPONENT = 'orders-api', COMPONENT_VERSION = 'dev' } = process.env;
const cell = { name: CELL_NAME, stage: CELL_STAGE, region: CELL_REGION, component: COMPONENT, version: COMPONENT_VERSION };
const server = createOrdersServer(cell);
server.listen(Number(PORT), () => process.stdout.write(`orders-api ${COMPONENT_VERSION} of cell ${CELL_NAME} on port ${PORT}\n`));
// ECS sends SIGTERM and waits: finish what is under way, take nothing new.
process.once('SIGTERM', () => server.close(() => process.exit(0)));
