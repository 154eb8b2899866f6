// Short soft sounds, made on the spot: two notes each, in Hz.

const notes = {
  came: [523, 784],
  left: [784, 523],
  knock: [659, 659],
  message: [880, 988],
} as const;

let context: AudioContext | undefined;

/** chime plays one. Where the browser does not allow sound yet, there is none. */
export function chime(name: keyof typeof notes): void {
  context ??= new AudioContext();
  if (context.state === "suspended") {
    void context.resume();
  }
  for (const [place, pitch] of notes[name].entries()) {
    const start = context.currentTime + place * 0.13;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    // It swells and fades, since a sudden start would click.
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.06, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0005, start + 0.28);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.3);
  }
}
