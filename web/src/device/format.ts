/** Numbers and templates as text, as Python's format() writes them: exact halves go to the even digit. */

/** Write a number as Python's `{value:.{digits}f}` does, for 0 to 3 digits. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const unit = 10 ** digits;
  const scaled = Math.abs(value) * unit;
  // Halves of the last digit that binary numbers can be: odd multiples of 1/2, 1/4, 1/8, ...
  const tie = Math.abs((value * 2 ** (digits + 1)) % 2) === 1;
  const text = tie ? (halfEven(scaled) / unit).toFixed(digits) : Math.abs(value).toFixed(digits);
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** Write a share as Python's `{value:.0%}` does, without the sign of per cent. */
export function percent(share: number): string {
  return fixed(share * 100, 0);
}

/** Round to a whole number, halves to the even one, as numpy's rint. */
export function halfEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** Fill a template such as "{share} of them" with values by name. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
