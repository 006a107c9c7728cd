/** Seeded chance and hostile JSON for the tests of what walks bytes. */

export type Random = () => number

/** Mulberry32: the same numbers for the same seed, everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}

const STRINGS = [
  '',
  'plain',
  'a,b',
  'say \\"hi\\"',
  'back\\\\slash',
  'ends with \\\\',
  '\\\\\\"',
  '{}[]},{',
  '},{\\"id\\":\\"',
  '"id"'.replaceAll('"', '\\"'),
  'é',
  '日本語',
  '😀👩‍👩‍👧',
  '\\u00e9\\ud83d\\ude00',
  '\\n\\r\\t\\b\\f\\/',
  '=1+1',
  '+1',
  '-1',
  '@x',
  '\\t=1',
  '\\r',
  ' lead',
  'true',
  'null',
  '＝full',
  '－',
  '\u2028',
  '\u007f',
  'x'.repeat(300),
  'b9665ae7-9ce8-4ee9-8ea8-353d13e773a9',
  '2026-11-20T12:45:41.528Z',
]
const NUMBERS = [
  '0',
  '-0',
  '1',
  '-17',
  '1.0',
  '1e3',
  '1E+2',
  '12345678901234567890',
  '0.1',
  '-1.50',
  '1e-7',
  '1e400',
]
const KEYS = [
  'id',
  'createdAt',
  'a',
  'b',
  'event',
  'metadata',
  'a.b',
  'x y',
  '',
  'é',
  'q\\"q',
  '\\u0069d',
  '0',
  '__proto__',
  'rawJSON',
]

export function randomString(random: Random): string {
  return `"${random() < 0.3 ? pick(random, STRINGS) + pick(random, STRINGS) : pick(random, STRINGS)}"`
}

/** The text of a JSON value; blanks only where `space` says so. */
export function randomValue(random: Random, depth = 3, space = ''): string {
  const kind = random()
  if (kind < 0.4) return randomString(random)
  if (kind < 0.55) return pick(random, NUMBERS)
  if (kind < 0.7) return pick(random, ['true', 'false', 'null'])
  if (depth === 0) return pick(random, ['{}', '[]'])
  if (kind < 0.85) return randomObject(random, depth - 1, space)
  const items = Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth - 1, space))
  return `[${space}${items.join(`${space},${space}`)}${space}]`
}

export function randomObject(random: Random, depth: number, space = ''): string {
  const members = Array.from({ length: Math.floor(random() * 5) }, () => {
    return `"${pick(random, KEYS)}"${space}:${space}${randomValue(random, depth, space)}`
  })
  return `{${space}${members.join(`${space},${space}`)}${space}}`
}

/** The text of an event: hostile in every member, its keys in any order, some of them twice. */
export function randomEvent(random: Random): string {
  const space = random() < 0.15 ? ' ' : ''
  const members = [
    `"id":${random() < 0.8 ? '"b9665ae7-9ce8-4ee9-8ea8-353d13e773a9"' : randomValue(random, 1, space)}`,
    `"createdAt"${space}:${random() < 0.8 ? '"2026-11-20T12:45:41.528Z"' : randomValue(random, 1, space)}`,
    `"event":${randomObject(random, 3, space)}`,
    `"actor":${randomObject(random, 2, space)}`,
    ...Array.from({ length: Math.floor(random() * 4) }, () => {
      return `"${pick(random, KEYS)}":${randomValue(random, 3, space)}`
    }),
  ]
  members.sort(() => random() - 0.5)
  return `{${members.join(',')}}`
}

/** The same keys and structure with other strings and numbers: what a log says again and again. */
export function eventLike(random: Random, text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*/g, (token, string, colon) => {
    if (colon !== undefined || random() < 0.3) return token
    if (string === undefined) return pick(random, NUMBERS)
    // An id and a time stay what they are, most often.
    return /^"(?:b9665ae7|2026-11)/.test(string) && random() < 0.9 ? token : randomString(random)
  })
}

/** Events of a log: a few outlines, each many times; most of them with an id and a time that are plain. */
export function eventsOfLog(random: Random, count: number): string[] {
  const outlines: string[] = []
  while (outlines.length < 8) {
    const text = randomEvent(random)
    const { id, createdAt } = JSON.parse(text) as Record<string, unknown>
    const isPlain = typeof id === 'string' && typeof createdAt === 'string' && !text.includes('u0069d')
    if (isPlain || random() < 0.2) outlines.push(text)
  }
  return Array.from({ length: count }, () => eventLike(random, pick(random, outlines)))
}
