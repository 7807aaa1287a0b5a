/**
 * Elements made by hand: text stays text, whatever it says, and nothing is ever parsed as markup.
 * Positions go through `style.setProperty`, which the Content-Security-Policy allows; attributes
 * named style it forbids.
 */

export type Child = Node | string | null | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Create an HTML element; children that are null, undefined or false are left out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

/** Create an SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled<E extends Element>(
  element: E,
  attributes: Attributes,
  children: readonly Child[],
): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Return an element of index.html by its id; throws where there is none. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found as E;
}

/** Return an input of index.html by its id. */
export function inputOf(id: string): HTMLInputElement {
  return byId<HTMLInputElement>(id);
}

/** Set style properties of an element; the Content-Security-Policy forbids style attributes. */
export function placed<E extends HTMLElement | SVGElement>(
  element: E,
  style: Readonly<Record<string, string>>,
): E {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  return element;
}
