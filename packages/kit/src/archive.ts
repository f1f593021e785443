/**
 * An archive of these files, by path (POSIX.1-1988, ustar): the same files give the same bytes. They belong to root and are
 * of no time.
 *
 * @param mode What may be done with them; everybody may read them by default.
 */
export function archiveOf(files: Readonly<Record<string, string | Uint8Array>>, mode: number = 0o644): Buffer {
  const entries = Object.entries(files).flatMap(([path, content]) => entryOf(path, Buffer.from(content), mode));
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}

const BLOCK = 512;
const NAME_SIZE = 100;

function entryOf(name: string, content: Uint8Array, mode: number): readonly Uint8Array[] {
  if (Buffer.byteLength(name) > NAME_SIZE) throw new RangeError(`a path of more than ${NAME_SIZE} bytes: ${name}`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name);
  header.write(octal(mode, 7) + octal(0, 7) + octal(0, 7), 100);
  header.write(`${octal(content.length, 11)}${octal(0, 11)}${' '.repeat(8)}0`, 124);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}
