/** A peer that speaks HTTP/2 badly: frames of every kind, made of chance. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Roll } from "../dice.ts";

const LONGEST_BURST = 8;
const SETTINGS = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const STATUS_200 = [0x88];

/** Answers whatever is said with noise; hangs up now and then. */
export function makeNoise(socket: Socket, roll: Roll): void {
  socket.on("error", () => {});
  if (roll(10) > 0) socket.write(Buffer.from(SETTINGS));
  const burst = () => {
    const frames = Array.from(
      { length: 1 + roll(LONGEST_BURST) },
      () => frame(roll),
    );
    if (!socket.destroyed) socket.write(Buffer.from(frames.flat()));
  };
  if (roll(5) === 0) burst();
  socket.on("data", () => {
    for (let left = roll(3); left >= 0; left--) burst();
    if (roll(3) === 0) socket.end();
  });
  setTimeout(() => socket.destroy(), 60);
}

/** Half of them well made, or nearly. */
function frame(roll: Roll): number[] {
  const some = (most: number) =>
    Array.from({ length: roll(most) }, () => roll(256));
  const kind = roll(5) > 0 ? roll(11) : roll(256);
  const isApt = roll(5) > 0;
  const payload = isApt ? aptPayload(kind, roll) ?? some(30) : some(30);
  const length = roll(20) === 0 ? roll(70_000) : payload.length;
  const flags = roll(5) > 1 ? [0, 1, 4, 5][roll(4)] ?? 0 : roll(256);
  const stream = roll(3) > 0 ? [0, 1, 1, 3, 2][roll(5)] ?? 0 : roll(100_000);
  return [
    ...[length >> 16, (length >> 8) & 255, length & 255, kind, flags],
    ...[0, (stream >> 16) & 255, (stream >> 8) & 255, stream & 255],
    ...payload,
  ];
}

function aptPayload(kind: number, roll: Roll): number[] | undefined {
  switch (kind) {
    case 1:
      return STATUS_200;
    case 3:
      return [0, 0, 0, roll(14)];
    case 4:
      return Array.from({ length: roll(4) * 6 }, () => roll(8));
    case 6:
      return Array.from({ length: 8 }, () => roll(256));
    case 8:
      return [0, 0, roll(256), roll(256)];
    default:
      return undefined;
  }
}
