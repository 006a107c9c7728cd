import type { DestinationDefinition } from './define-destination.ts'

/** Providers and where they live: one line each, loaded when a command needs one. */
export const DESTINATIONS: Readonly<Record<string, () => Promise<DestinationDefinition>>> = {
  splunk: () => import('./splunk/index.ts').then((file) => file.splunk as unknown as DestinationDefinition),
  datadog: () =>
    import('./datadog/index.ts').then((file) => file.datadog as unknown as DestinationDefinition),
  azure: () => import('./azure/index.ts').then((file) => file.azure as unknown as DestinationDefinition),
}
