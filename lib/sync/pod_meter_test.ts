import assert from "node:assert/strict";
import { aContainer, aPod, observedContainer } from "../../tests/build.ts";
