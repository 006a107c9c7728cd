/** A whole number with its digits in groups of three. `toLocaleString` would load the tables of all languages: a third of the start of an export. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
