// The whole program of Image 2. `.mts`, so that Node runs this one file as a module without a package.json beside it.

const digest = process.env.IMAGE1_DIGEST ?? '';
const url = process.env.IMAGE1_URL ?? '';

const problem = findProblem();
if (problem) {
  console.error(`Image 2 holds no usable link to Image 1: ${problem}`);
  console.error('Build it with --build-arg IMAGE1_DIGEST=sha256:… --build-arg IMAGE1_URL=<repository>@sha256:…');
  process.exitCode = 1;
} else {
  console.log('Hello from Image 2!');
  console.log('This container proves the signed/sealed image chain.');
  console.log(`Image 1 Digest: ${digest}`);
  console.log(`Image 1 URL: ${url}`);
  console.log('This digest was baked in at build time, proving atomic build.');
  console.log(`Timestamp: ${new Date().toISOString()}`);
}

/** What is wrong with the embedded values, or nothing. JSON.stringify keeps control characters off the terminal. */
function findProblem(): string | undefined {
  if (!/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest)) {
    return `IMAGE1_DIGEST should be sha256:<64 hex digits> or sha512:<128 hex digits>, found ${JSON.stringify(digest)}`;
  }
  if (!/^[\w.:[\]/-]+@/.test(url) || !url.endsWith(`@${digest}`)) {
    return `IMAGE1_URL should be <repository>@${digest}, found ${JSON.stringify(url)}`;
  }
  return undefined;
}
