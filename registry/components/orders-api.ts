import { defineComponent } from 'cell-factory/registry';

export default defineComponent({
  name: 'orders-api',
  repository: { url: 'https://github.com/acme/orders-api' },
  route: { priority: 100, path: '/orders*' },
});
