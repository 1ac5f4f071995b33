"""What a test's page does to show what the unit forwards: the touchscreen's side of RFC 9725, and no more."""

VIEW = """
async function view(resource) {
  const pc = window.pc = new RTCPeerConnection();
  const stream = v.srcObject = new MediaStream();
  pc.addTransceiver('audio', {direction: 'recvonly'});
  pc.addTransceiver('video', {direction: 'recvonly'});
  pc.ontrack = event => stream.addTrack(event.track);
  await pc.setLocalDescription(await pc.createOffer());
  const answer = await fetch('/whep/' + resource, {method: 'POST', body: pc.localDescription.sdp});
  await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
}
"""
"""JavaScript; wants a <video id=v> and leaves the connection in `pc`."""
