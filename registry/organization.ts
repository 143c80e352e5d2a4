import { defineOrganization } from 'cell-factory/registry';

export default defineOrganization({
  name: 'acme',
  homeRegion: 'eu-west-1',
  domain: 'example.com',
  emailPattern: 'aws+{account}@example.com',
  network: { supernet: '10.0.0.0/8', prefixLength: 20 },
  access: {
    roles: {
      reader: { level: 'read', stages: ['staging', 'production'], groups: ['engineers'], session: '8h' },
      operator: { level: 'operate', stages: ['staging', 'production'], groups: ['on-call'], session: '4h' },
    },
  },
});
