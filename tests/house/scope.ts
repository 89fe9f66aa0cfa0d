/**
 * Which binding an identifier means. Enough of JavaScript's scoping for rules
 * that ask "is this the global `fetch`, or a parameter of that name?".
 */
/** Deno's union forgets these two. */
type Node =
  | Deno.lint.Node
  | Deno.lint.TSParameterProperty
  | Deno.lint.AccessorProperty;
type Identifier = Deno.lint.Identifier;
type Range = Deno.lint.Range;

const EVERYWHERE: Range = [0, Number.MAX_SAFE_INTEGER];

/** True for nodes that open a scope of their own. */
function opensScope(node: Node): boolean {
  return isFunction(node) || node.type === "BlockStatement" ||
    node.type === "StaticBlock" || node.type === "SwitchStatement" ||
    node.type === "ForStatement" || node.type === "ForOfStatement" ||
    node.type === "ForInStatement";
}

export function isFunction(
  node: Node,
): node is
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression {
  return node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression";
}

/** True when `inner` lies within `outer`. */
export function inside(inner: Node, outer: Node | null | undefined): boolean {
  return outer !== null && outer !== undefined &&
    outer.range[0] <= inner.range[0] && inner.range[1] <= outer.range[1];
}

/** The nodes around `node`, innermost first, without the program. */
export function* around(node: Node): Generator<Node> {
  let current: Node | null | undefined = "parent" in node
    ? node.parent
    : undefined;
  while (current && current.type !== "Program") {
    yield current;
    current = "parent" in current ? current.parent : undefined;
  }
}

function scopeAround(node: Node): Range {
  for (const outer of around(node)) if (opensScope(outer)) return outer.range;
  return EVERYWHERE;
}

type Role =
  | { readonly kind: "reference" }
  | { readonly kind: "declaration"; readonly scope: Range }
  | { readonly kind: "name" };

const REFERENCE: Role = { kind: "reference" };
const NAME: Role = { kind: "name" };

const TYPED_EXPRESSIONS = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
  "TSExportAssignment",
]);

const NEVER_REFERENCES = new Set([
  "LabeledStatement",
  "BreakStatement",
  "ContinueStatement",
  "MetaProperty",
  "ExportSpecifier",
  "ExportAllDeclaration",
  "ImportAttribute",
]);

/** What an identifier is at its place. */
function roleOf(node: Identifier): Role {
  let child: Node = node;
  for (const parent of around(node)) {
    const role = roleIn(parent, child);
    if (role !== "look further") return role;
    child = parent;
  }
  return REFERENCE;
}

function roleIn(parent: Node, child: Node): Role | "look further" {
  if (parent.type.startsWith("TS") && parent.type !== "TSParameterProperty") {
    return TYPED_EXPRESSIONS.has(parent.type) ? REFERENCE : NAME;
  }
  if (NEVER_REFERENCES.has(parent.type)) return NAME;
  if (isFunction(parent)) return roleInFunction(parent, child);
  switch (parent.type) {
    case "ImportSpecifier":
      return inside(child, parent.local) ? declares(EVERYWHERE) : NAME;
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return declares(EVERYWHERE);
    case "VariableDeclarator":
      return inside(child, parent.id)
        ? declares(scopeAround(parent))
        : REFERENCE;
    case "ClassDeclaration":
    case "ClassExpression":
      return inside(child, parent.id)
        ? declares(scopeAround(parent))
        : REFERENCE;
    case "CatchClause":
      return declares(parent.range);
    case "MemberExpression":
      return inside(child, parent.property) && !parent.computed
        ? NAME
        : REFERENCE;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return inside(child, parent.key) && !parent.computed ? NAME : REFERENCE;
    case "Property":
      if (inside(child, parent.value)) {
        return parent.parent.type === "ObjectPattern"
          ? "look further"
          : REFERENCE;
      }
      return parent.computed ? REFERENCE : NAME;
    case "AssignmentPattern":
      return inside(child, parent.left) ? "look further" : REFERENCE;
    case "ObjectPattern":
    case "ArrayPattern":
    case "RestElement":
    case "TSParameterProperty":
      return "look further";
    default:
      return REFERENCE;
  }
}

function roleInFunction(
  parent:
    | Deno.lint.FunctionDeclaration
    | Deno.lint.FunctionExpression
    | Deno.lint.ArrowFunctionExpression,
  child: Node,
): Role {
  if (parent.type === "ArrowFunctionExpression") {
    return inside(child, parent.body) ? REFERENCE : declares(parent.range);
  }
  if (parent.type === "FunctionDeclaration" && inside(child, parent.id)) {
    return declares(scopeAround(parent));
  }
  return declares(parent.range);
}

function declares(scope: Range): Role {
  return { kind: "declaration", scope };
}

/** Collects names while a file is visited; answers at `Program:exit`. */
export class Names {
  readonly #declared = new Map<string, Range[]>();
  readonly #references: Identifier[] = [];

  /** To be called for every `Identifier`. */
  visit(node: Identifier): void {
    const role = roleOf(node);
    if (role.kind === "reference") this.#references.push(node);
    if (role.kind !== "declaration") return;
    const scopes = this.#declared.get(node.name) ?? [];
    scopes.push(role.scope);
    this.#declared.set(node.name, scopes);
  }

  /** Every use of a global among `wanted`. */
  *globals(wanted: ReadonlySet<string>): Generator<Identifier> {
    for (const node of this.#references) {
      if (wanted.has(node.name) && this.isGlobal(node)) yield node;
    }
  }

  /** True when no scope around `node` declares its name. */
  isGlobal(node: Identifier): boolean {
    return !this.#scopes(node).length;
  }

  /** True when only the file's top level declares the name seen at `node`. */
  isTopLevel(node: Identifier): boolean {
    const scopes = this.#scopes(node);
    return scopes.length > 0 && scopes.every((scope) => scope === EVERYWHERE);
  }

  #scopes(node: Identifier): Range[] {
    return (this.#declared.get(node.name) ?? []).filter((scope) =>
      scope[0] <= node.range[0] && node.range[1] <= scope[1]
    );
  }
}

/** The name after the dot (or in `["…"]`), when it is written out. */
export function memberName(
  node: Deno.lint.MemberExpression,
): string | undefined {
  const property = node.property;
  if (!node.computed) {
    return property.type === "Identifier" ||
        property.type === "PrivateIdentifier"
      ? property.name
      : undefined;
  }
  return property.type === "Literal" && typeof property.value === "string"
    ? property.value
    : undefined;
}
