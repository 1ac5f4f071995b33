// How large, how often and at what bit rate our pictures go out.

const KBIT = 1000;

/** To another page, and to the room when other pages take part too. `height` in pixels, rates per second. */
const PAGE = { height: 360, frameRate: 20, bitRate: 400 * KBIT };
const MANY = { height: 180, frameRate: 15, bitRate: 150 * KBIT };
const ROOM = { height: 360, frameRate: 20, bitRate: 600 * KBIT };
/** A screen or a document: its text must stay sharp, its movements need not. */
export const SHARE = { height: 1080, frameRate: 10, bitRate: 2500 * KBIT, keepSize: true };
/** The same to each of several pages: encoded once for each of them. */
const SHARE_MANY = { ...SHARE, frameRate: 5, bitRate: 1200 * KBIT };
const MANY_OTHERS = 3;

/** Our camera to each of so many other pages. */
export const toPages = (others) => (others >= MANY_OTHERS ? MANY : PAGE);

/** What we show to each of so many other pages. */
export const shareToPages = (others) => (others >= MANY_OTHERS ? SHARE_MANY : SHARE);

/** To the room: as good as it gets while we are the only one. */
export const toRoom = (others) => (others > 0 ? ROOM : null);

/** Set them on an RTCRtpSender (W3C webrtc, setParameters); null takes them away. */
export async function limit(sender, most) {
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  if (!encoding) return;
  const height = sender.track?.getSettings().height ?? most?.height ?? 1;
  encoding.scaleResolutionDownBy = most ? Math.max(1, height / most.height) : 1;
  if (most) Object.assign(encoding, { maxBitrate: most.bitRate, maxFramerate: most.frameRate });
  else for (const name of ["maxBitrate", "maxFramerate"]) delete encoding[name];
  if (most?.keepSize) parameters.degradationPreference = "maintain-resolution";
  await sender.setParameters(parameters).catch(() => {}); // a browser that cannot sends as it likes
}
