export { end as default } from './nursery-setup.js';
