/**
 * Rules for paths that must stay inside something.
 * Compat: kubelet 1.36 validateLocalDescendingPath, validatePathNoBacksteps
 * and ValidateLocalNonReservedPath.
 */
import { invalid, type Path, type Violation } from "./field.ts";

export function* noBacksteps(path: Path, value: string): Generator<Violation> {
  if (value.split("/").includes("..")) {
    yield invalid(path, value, "must not contain '..'");
  }
}

export function* descending(path: Path, value: string): Generator<Violation> {
  if (value.startsWith("/")) {
    yield invalid(path, value, "must be a relative path");
  }
  yield* noBacksteps(path, value);
}

export function* nonReserved(path: Path, value: string): Generator<Violation> {
  yield* descending(path, value);
  if (value.startsWith("..") && !value.startsWith("../")) {
    yield invalid(path, value, "must not start with '..'");
  }
}
