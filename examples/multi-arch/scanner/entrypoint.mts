// The whole program of the scanner: it says what it holds, and fails where it holds nothing.
const { IMAGE1_DIGEST: digest = '', IMAGE1_URL: url = '' } = process.env;

if (!/^sha(?:256|512):[0-9a-f]+$/.test(digest) || !url.endsWith(`@${digest}`)) {
  console.error('The scanner holds no usable link to the app: build it with IMAGE1_DIGEST and IMAGE1_URL');
  process.exitCode = 1;
} else {
  console.log('Hello from Image 2!');
  console.log('This container proves the signed/sealed image chain.');
  console.log(`Image 1 Digest: ${digest}`);
  console.log(`Image 1 URL: ${url}`);
  console.log('This digest was baked in at build time, proving atomic build.');
  console.log(`Timestamp: ${new Date().toISOString()}`);
}
