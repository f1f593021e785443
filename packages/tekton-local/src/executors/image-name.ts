// As containerd and Docker read an image's name (distribution/reference).
const HOST = String.raw`(?:[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*(?:\.[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)*|\[[a-fA-F0-9:]+\])(?::\d+)?`;
const PART = '[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const NAME = new RegExp(`^(?:${HOST}/)?${PART}(?:/${PART})*(?::\\w[\\w.-]{0,127})?(?:@${DIGEST})?$`);

const LONGEST = 512;

/** What podman takes for a place to read an image from: a folder or an archive of this machine, or another program's storage. */
const TRANSPORT = /^(?:containers-storage|dir|docker-archive|docker-daemon|oci|oci-archive|ostree|sif|tarball):/;

/**
 * Whether a text is the name of an image as a cluster takes it, which is in a registry or in this machine's storage: and no
 * other place that podman would read.
 */
export function isImageName(text: string): boolean {
  return text.length <= LONGEST && NAME.test(text) && !TRANSPORT.test(text);
}
