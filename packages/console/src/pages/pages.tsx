import type { Client } from '@keyswarm/sdk';
import type { ComponentChildren } from 'preact';
import { icons } from '../parts/icons.tsx';
import { ApprovalsPage } from './approvals-page.tsx';
import { CampaignsPage } from './campaigns-page.tsx';
import { EventsPage } from './events-page.tsx';
import { FlowPage } from './flow/flow-page.tsx';
import { KeysPage } from './keys/keys-page.tsx';
import { KeyspacesPage } from './keyspaces-page.tsx';
import { OwnersPage } from './owners-page.tsx';
import { VerifiersPage } from './verifiers-page.tsx';
import { WebhooksPage } from './webhooks-page.tsx';

export interface Page {
  readonly id: string;
  readonly title: string;
  readonly icon: ComponentChildren;
  readonly render: (client: Client) => ComponentChildren;
}

/** In the order of the menu; the first is where one comes in. */
export const pages: readonly Page[] = [
  { id: 'flow', title: 'Flow', icon: icons.flow, render: (client) => <FlowPage client={client} /> },
  { id: 'keys', title: 'Keys', icon: icons.keys, render: (client) => <KeysPage client={client} /> },
  { id: 'owners', title: 'Owners', icon: icons.owners, render: (client) => <OwnersPage client={client} /> },
  {
    id: 'keyspaces',
    title: 'Keyspaces',
    icon: icons.keyspaces,
    render: (client) => <KeyspacesPage client={client} />,
  },
  {
    id: 'campaigns',
    title: 'Campaigns',
    icon: icons.campaigns,
    render: (client) => <CampaignsPage client={client} />,
  },
  {
    id: 'approvals',
    title: 'Approvals',
    icon: icons.approvals,
    render: (client) => <ApprovalsPage client={client} />,
  },
  { id: 'events', title: 'Events', icon: icons.events, render: (client) => <EventsPage client={client} /> },
  {
    id: 'webhooks',
    title: 'Webhooks',
    icon: icons.webhooks,
    render: (client) => <WebhooksPage client={client} />,
  },
  { id: 'verifiers', title: 'Verifiers', icon: icons.verifiers, render: () => <VerifiersPage /> },
];
