/**
 * The grammar of label keys and values, as yes or no. What is wrong with a
 * name in the API server's words is said by `source/names.ts`.
 * Compat: apimachinery v0.36 IsLabelKey and IsLabelValue.
 */

const SUBDOMAIN =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LONGEST_NAME = 63;
const LONGEST_SUBDOMAIN = 253;

/** `name` or `example.com/name`. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  const prefix = slash < 0 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (name.length > LONGEST_NAME || !NAME.test(name)) return false;
  return prefix === undefined ||
    (prefix.length <= LONGEST_SUBDOMAIN && SUBDOMAIN.test(prefix));
}

export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= LONGEST_NAME && NAME.test(text));
}
