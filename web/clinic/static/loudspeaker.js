// Where the others are heard, where the browser lets one choose (W3C Audio Output Devices API).

import { chime } from "./chime.js";

let chosen = "";

export const canChoose = "setSinkId" in HTMLMediaElement.prototype;

/** Let an element be heard where the others are. */
export async function toLoudspeaker(element) {
  if (canChoose && chosen) await element.setSinkId(chosen).catch(() => {}); // it may have been unplugged
}

/** Choose by deviceId; what is heard already moves there. */
export async function choose(id) {
  chosen = id;
  await Promise.all([...document.querySelectorAll("#stage video")].map((one) => canChoose && one.setSinkId(id).catch(() => {})));
}

/** Three notes where the others will be heard. */
export async function test() {
  const context = new AudioContext();
  const destination = context.createMediaStreamDestination();
  const player = new Audio();
  player.srcObject = destination.stream;
  await toLoudspeaker(player);
  await Promise.all([context.resume(), player.play()]).catch(() => {});
  await chime("test", context, destination);
  await context.close();
}
