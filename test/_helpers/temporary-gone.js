export { teardown as default } from './temporary.js';
