/** Numbers and templates as text, as Python's format() writes them: exact halves go to the even digit. */

/** `{value:.{digits}f}`; digits 0 to 3. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const unit = 10 ** digits;
  const scaled = Math.abs(value) * unit;
  // Halves of the last digit that binary numbers can be: odd multiples of 1/2, 1/4, 1/8, ...
  const tie = Math.abs((value * 2 ** (digits + 1)) % 2) === 1;
  const text = tie ? (halfEven(scaled) / unit).toFixed(digits) : Math.abs(value).toFixed(digits);
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** `{value:.0%}` without its sign of per cent. */
export function percent(share: number): string {
  return fixed(share * 100, 0);
}

/** numpy's rint. */
export function halfEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** Put values into a template at the places that name them, such as "{share}". */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
