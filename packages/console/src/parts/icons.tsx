import type { ComponentChildren } from 'preact';

const Icon = ({ children }: { readonly children: ComponentChildren }) => (
  <svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
    {children}
  </svg>
);

/* Line drawings on a grid of twenty, one stroke. */
export const icons = {
  flow: (
    <Icon>
      <path d="M2 11h3.2l2.3-6 4 11 2.6-8 1.2 3H18" />
    </Icon>
  ),
  keys: (
    <Icon>
      <circle cx="6.5" cy="10" r="3.5" />
      <path d="M10 10h8m-3 0v3.2M12.6 10v2.2" />
    </Icon>
  ),
  owners: (
    <Icon>
      <circle cx="10" cy="6.6" r="3.1" />
      <path d="M3.8 17c.6-3.3 3-5 6.2-5s5.600 1.700 6.200 5" />
    </Icon>
  ),
  keyspaces: (
    <Icon>
      <path d="M10 2.600 17.400 6.400 10 10.200 2.600 6.400zM2.600 10 10 13.800 17.400 10M2.600 13.600 10 17.400l7.400-3.800" />
    </Icon>
  ),
  campaigns: (
    <Icon>
      <path d="M3 10a7 7 0 0 1 12-4.900M17 10a7 7 0 0 1-12 4.900M15.200 1.800v3.500h-3.500M4.800 18.200v-3.500h3.500" />
    </Icon>
  ),
  approvals: (
    <Icon>
      <path d="M10 2.400 16.600 5v4.600c0 4-2.700 6.700-6.600 8-3.900-1.300-6.600-4-6.600-8V5zM7 9.800l2.200 2.200L13.200 8" />
    </Icon>
  ),
  events: (
    <Icon>
      <path d="M7 4.500h10.500M7 10h10.500M7 15.500h10.500M2.800 4.500h.9M2.800 10h.9M2.800 15.500h.9" />
    </Icon>
  ),
  webhooks: (
    <Icon>
      <path d="M3 10h9.500M9 5.800l4.200 4.200L9 14.200M16.800 3.500v13" />
    </Icon>
  ),
  verifiers: (
    <Icon>
      <circle cx="10" cy="10" r="2.400" />
      <path d="M5.800 14.200a6 6 0 0 1 0-8.400M14.200 5.800a6 6 0 0 1 0 8.400M3.300 16.700a9.500 9.500 0 0 1 0-13.400M16.700 3.300a9.500 9.500 0 0 1 0 13.400" />
    </Icon>
  ),
} as const;
