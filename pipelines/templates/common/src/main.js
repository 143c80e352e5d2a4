import { createService } from './service.js';

const { CELL_NAME = 'none', COMPONENT = '__COMPONENT__', COMPONENT_VERSION = 'dev', PORT = '8080' } = process.env;
const server = createService({ cell: CELL_NAME, component: COMPONENT, version: COMPONENT_VERSION });
server.listen(Number(PORT), () => process.stdout.write(`${COMPONENT} ${COMPONENT_VERSION} of cell ${CELL_NAME} on port ${PORT}\n`));
// Whoever stops us sends SIGTERM and waits: finish what is under way, take nothing new.
process.once('SIGTERM', () => server.close(() => process.exit(0)));
