/** One cell as csv-stringify writes it, for the few that the byte path has to decode first. */
export function csvCell(text: string, guard: boolean): string {
  const safe = guard && isFormula(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A spreadsheet runs a cell that begins with one of these, the full-width forms included. */
function isFormula(text: string): boolean {
  return /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text)
}
