import { createOrdersServer } from './server.js';

const { CELL_NAME = 'none', CELL_STAGE = 'none', COMPONENT_VERSION = 'dev', PORT = '8080' } = process.env;
const server = createOrdersServer({ name: CELL_NAME, stage: CELL_STAGE, version: COMPONENT_VERSION });
server.listen(Number(PORT), () => process.stdout.write(`orders-api ${COMPONENT_VERSION} of cell ${CELL_NAME} on port ${PORT}\n`));
// ECS sends SIGTERM and waits: finish what is under way, take nothing new.
process.once('SIGTERM', () => server.close(() => process.exit(0)));
