/**
 * SPDY inside WebSocket messages on the caller's side, bare on the runtime's:
 * `SPDY/3.1+portforward.k8s.io`. Knows nothing of SPDY. Pure; called by
 * handover.ts. Compat: kubelet 1.36 TunnelingHandler.
 */
import type { Passed, Translator } from "./relay.ts";
import {
  binaryFrame,
  closeFrame,
  pongFrame,
  WebSocketReader,
} from "./websocket.ts";

const NORMAL = 1000;

export class Tunnel implements Translator {
  readonly #websocket = new WebSocketReader();

  begin(): Passed {
    return { on: [], back: [] };
  }

  fromCaller(chunk: Uint8Array): Passed {
    const on: Uint8Array[] = [];
    const back: Uint8Array[] = [];
    let isOver = false;
    for (const piece of this.#websocket.read(chunk)) {
      if (piece.kind === "data") on.push(piece.bytes);
      else if (piece.kind === "ping") back.push(pongFrame(piece.bytes));
      else isOver = true;
    }
    return { on, back, isOver };
  }

  fromRuntime(chunk: Uint8Array): Passed {
    return { on: [binaryFrame(chunk)], back: [] };
  }

  end(): readonly Uint8Array[] {
    return [closeFrame(NORMAL)];
  }
}
