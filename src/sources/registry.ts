import type { SourceDefinition } from './define-source.ts'

/** Source types and where they live: one line each, loaded when a command needs one. */
export const SOURCES: Readonly<Record<string, () => Promise<SourceDefinition>>> = {
  infisical: () =>
    import('./infisical/index.ts').then((file) => file.infisical as unknown as SourceDefinition),
  scaivault: () =>
    import('./scaivault/index.ts').then((file) => file.scaivault as unknown as SourceDefinition),
  infrakitchen: () =>
    import('./infrakitchen/index.ts').then((file) => file.infrakitchen as unknown as SourceDefinition),
  file: () => import('./file/index.ts').then((file) => file.file as unknown as SourceDefinition),
  circleci: () => import('./circleci/index.ts').then((file) => file.circleci as unknown as SourceDefinition),
}
