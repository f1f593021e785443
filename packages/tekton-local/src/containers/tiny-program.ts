/** Machine code for `exit(0)`, by processor. */
const EXIT: Readonly<Record<string, { machine: number; code: readonly number[] }>> = {
  // mov eax, 60; xor edi, edi; syscall
  x64: { machine: 62, code: [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05] },
  // mov x8, #93; mov x0, #0; svc #0
  arm64: { machine: 183, code: [0xa8, 0x0b, 0x80, 0xd2, 0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4] },
};

const HEADERS = 120;
const BASE = 0x400000n;

/**
 * A Linux program of about 130 bytes that needs no library and does nothing but succeed: the smallest thing to try
 * containers with, where no image can be pulled. Undefined on processors other than x64 and arm64.
 */
export function tinyProgram(architecture: string = process.arch): Buffer | undefined {
  const exit = Object.hasOwn(EXIT, architecture) ? EXIT[architecture] : undefined;
  if (exit === undefined) return undefined;
  const size = HEADERS + exit.code.length;
  const elf = Buffer.alloc(size);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(exit.machine, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BASE + BigInt(HEADERS), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  // One segment, readable and executable: the whole file.
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(5, 68);
  elf.writeBigUInt64LE(BASE, 80);
  elf.writeBigUInt64LE(BASE, 88);
  elf.writeBigUInt64LE(BigInt(size), 96);
  elf.writeBigUInt64LE(BigInt(size), 104);
  elf.writeBigUInt64LE(0x10000n, 112);
  elf.set(exit.code, HEADERS);
  return elf;
}
