import { defineOrganization } from 'cell-factory/registry';

export default defineOrganization({
  name: 'acme',
  homeRegion: 'eu-west-1',
  domain: 'example.com',
  emailPattern: 'aws+{account}@example.com',
  network: { supernet: '10.0.0.0/8', prefixLength: 20 },
  contacts: {
    security: { name: 'Security', title: 'Security team', email: 'security@example.com', phone: '+1 555 0100' },
  },
  access: {
    roles: {
      reader: { level: 'read', stages: ['staging', 'production'], groups: ['engineers'], session: '8h' },
      operator: { level: 'operate', stages: ['staging', 'production'], groups: ['on-call'], session: '4h' },
    },
  },
});
