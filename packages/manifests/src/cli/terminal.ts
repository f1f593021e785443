/** Text from outside, with everything that a terminal would obey made visible. Line breaks stay. */
export function escapeTerminal(text: string): string {
  return text.replaceAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function print(text: string): void {
  process.stdout.write(`${escapeTerminal(text)}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${escapeTerminal(text)}\n`);
}
