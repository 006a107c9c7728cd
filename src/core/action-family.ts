export type ActionFamily = 'create' | 'update' | 'delete' | 'read' | 'login' | 'other'

/** Words of event types by what they do; the first that an action holds decides, so a family that matters more stands first. */
const WORDS: readonly (readonly [family: ActionFamily, pattern: RegExp])[] = [
  ['login', /\b(?:login|logins?|logged|logout|log-?in|sign-?in|sign-?out|auth|authenticate[sd]?|mfa)\b/],
  [
    'delete',
    /\b(?:delete[sd]?|remove[sd]?|destroy(?:s|ed)?|revoke[sd]?|purge[sd]?|disable[sd]?|detach(?:ed)?|deny|denied)\b/,
  ],
  [
    'create',
    /\b(?:create[sd]?|add(?:s|ed)?|new|invite[sd]?|grant(?:s|ed)?|enable[sd]?|issue[sd]?|import(?:s|ed)?|attach(?:ed)?)\b/,
  ],
  [
    'update',
    /\b(?:update[sd]?|edit(?:s|ed)?|change[sd]?|rotate[sd]?|rename[sd]?|move[sd]?|set|patch(?:ed)?|restore[sd]?|approve[sd]?)\b/,
  ],
  [
    'read',
    /\b(?:get|gets|read|reads|list(?:s|ed)?|view(?:s|ed)?|fetch(?:ed)?|access(?:ed)?|export(?:s|ed)?|reveal(?:ed)?|search)\b/,
  ],
]

/** What an action does, by the words of its name in any of the vendors' spellings: `delete-secret`, `secret.read`, `USER_LOGIN`, `createToken`. */
export function actionFamily(action: string): ActionFamily {
  const words = action
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, ' ')
  return WORDS.find(([, pattern]) => pattern.test(words))?.[0] ?? 'other'
}
