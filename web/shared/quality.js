// Figures of one connection for the time since they were last asked for, as agent/contract/quality.py has them.
// Pure: counters in (W3C webrtc-stats), rates out. Nothing in them tells who anybody is.

const NAME = /^[A-Za-z][A-Za-z0-9_]{1,31}$/;
const LIMITS = ["none", "cpu", "bandwidth", "other"];

const within = (value, most) => Math.min(most, Math.max(0, value));
const share = (part, whole) => (whole > 0 ? Number(within(part / whole, 1).toFixed(4)) : 0);
const ms = (seconds) => Number(within(seconds * 1000, 60000).toFixed(1));
const count = (value) => Math.round(within(value, 1e6));
const known = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

export class QualityWatch {
  #before = null;

  /** `report` is an RTCStatsReport; null the first time, since there is nothing to compare with. */
  reading(report, nowMs) {
    const now = { at: nowMs, stats: [...report.values()] };
    const before = this.#before;
    this.#before = now;
    if (!before) return null;
    const seconds = within((now.at - before.at) / 1000, 60);
    if (seconds <= 0) return null;
    const old = new Map(before.stats.map((one) => [one.id, one]));
    const grown = (one, name) => Math.max(0, (one?.[name] ?? 0) - (old.get(one?.id)?.[name] ?? 0));
    const find = (type, kind) => now.stats.findLast((one) => one.type === type && (!kind || one.kind === kind));
    const sum = (type, name) => now.stats.filter((one) => one.type === type).reduce((all, one) => all + grown(one, name), 0);
    const rate = (octets) => Math.round(within((octets * 8) / seconds, 1e8));
    return {
      interval_s: Number(seconds.toFixed(2)),
      received: received(find, sum, grown, rate, seconds),
      sent: sent(now.stats, find, sum, grown, rate, seconds),
    };
  }
}

function received(find, sum, grown, rate, seconds) {
  const video = find("inbound-rtp", "video");
  const audio = find("inbound-rtp", "audio");
  if (!video && !audio) return null;
  const packets = sum("inbound-rtp", "packetsReceived");
  const lost = sum("inbound-rtp", "packetsLost");
  const emitted = grown(video, "jitterBufferEmittedCount");
  return known({
    bit_rate: rate(sum("inbound-rtp", "bytesReceived")),
    lost: share(lost, packets + lost),
    jitter_ms: ms(Math.max(video?.jitter ?? 0, audio?.jitter ?? 0)),
    frame_rate: video && Number(within(grown(video, "framesDecoded") / seconds, 240).toFixed(1)),
    width: video?.frameWidth,
    height: video?.frameHeight,
    freezes: video && count(grown(video, "freezeCount")),
    frozen_s: video && Number(within(grown(video, "totalFreezesDuration"), 60).toFixed(2)),
    concealed: audio && share(grown(audio, "concealedSamples"), grown(audio, "totalSamplesReceived")),
    buffer_ms: emitted > 0 ? ms(grown(video, "jitterBufferDelay") / emitted) : undefined,
    nacks: video && count(grown(video, "nackCount")),
    keyframe_requests: video && count(grown(video, "pliCount") + grown(video, "firCount")),
  });
}

function sent(stats, find, sum, grown, rate, seconds) {
  const video = find("outbound-rtp", "video");
  if (!video && !find("outbound-rtp", "audio")) return null;
  const pair = stats.find((one) => one.type === "candidate-pair" && one.nominated && one.state === "succeeded");
  const reports = stats.filter((one) => one.type === "remote-inbound-rtp");
  const frames = grown(video, "framesEncoded");
  // Chromium puts an adapter's name around the encoder's: "SimulcastEncoderAdapter (libvpx)".
  const encoder = video?.encoderImplementation?.replace(/^\w+ \(/, "").split(/\W/)[0];
  return known({
    bit_rate: rate(sum("outbound-rtp", "bytesSent")),
    estimate: pair?.availableOutgoingBitrate && Math.round(within(pair.availableOutgoingBitrate, 1e8)),
    lost: reports.length ? share(Math.max(...reports.map((one) => one.fractionLost ?? 0)), 1) : undefined,
    round_trip_ms: pair?.currentRoundTripTime === undefined ? undefined : ms(pair.currentRoundTripTime),
    frame_rate: video && Number(within(frames / seconds, 240).toFixed(1)),
    width: video?.frameWidth,
    height: video?.frameHeight,
    encoder: NAME.test(encoder ?? "") ? encoder : undefined,
    encode_ms: frames > 0 ? ms(grown(video, "totalEncodeTime") / frames) : undefined,
    limited: LIMITS.includes(video?.qualityLimitationReason) ? video.qualityLimitationReason : undefined,
    resent: count(sum("outbound-rtp", "retransmittedPacketsSent")),
    keyframe_requests: video && count(grown(video, "pliCount") + grown(video, "firCount")),
  });
}
