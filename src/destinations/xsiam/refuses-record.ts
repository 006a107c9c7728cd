import { checkJson } from '../../core/json-check.ts'

const NO_KEY = new Uint8Array(0)
const BRACE = 0x7b

/** A record that is not JSON may be dropped, or stored as text, inside a body that is accepted. */
export function refusesRecord(
  encoded: Uint8Array,
): { readonly code: string; readonly reason: string } | undefined {
  const isWhole =
    encoded[0] === BRACE && checkJson(encoded, 0, encoded.length, NO_KEY, NO_KEY) === encoded.length
  if (isWhole && !encoded.includes(0x0a)) return undefined
  return {
    code: 'not-json',
    reason:
      'the event is not a JSON object on one line: XSIAM would drop it or keep it as text, and say nothing',
  }
}
