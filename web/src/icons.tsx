// The signs on buttons: strokes on a 24 by 24 grid, in the colour of the text. They say nothing to
// screen readers, since what they stand for is said in words beside them.

import type { ComponentChildren } from "preact";

const slash = <path d="M4 4l16 16" />;
const microphone = (
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </>
);
const camera = (
  <>
    <rect x="3" y="6.5" width="12" height="11" rx="2.5" />
    <path d="M15 10.8l6-3.3v9l-6-3.3" />
  </>
);

const shapes = {
  microphone,
  microphoneOff: (
    <>
      {microphone}
      {slash}
    </>
  ),
  camera,
  cameraOff: (
    <>
      {camera}
      {slash}
    </>
  ),
  screen: (
    <>
      <rect x="3" y="4.5" width="18" height="12" rx="2" />
      <path d="M12 13.5v-6M9.2 10l2.8-2.8 2.8 2.8M8.5 20h7" />
    </>
  ),
  hand: (
    <path d="M7.5 12.5V6.7a1.4 1.4 0 0 1 2.8 0V4.4a1.4 1.4 0 0 1 2.8 0v2.1a1.4 1.4 0 0 1 2.8 0v2.2a1.3 1.3 0 0 1 2.6 0V14c0 4.2-2.6 7-6.3 7-3 0-4.6-1.5-5.9-4l-2-3.7a1.35 1.35 0 0 1 2.3-1.4z" />
  ),
  chat: (
    <path d="M4 6.500A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.500v7a2.5 2.5 0 0 1-2.5 2.500H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.500zM8 8.500h8M8 12h5" />
  ),
  people: (
    <>
      <circle cx="9" cy="8" r="3.2" />
      <path d="M3 19.500c0-3.5 2.5-5.5 6-5.500s6 2 6 5.500M15.5 5.200a3 3 0 0 1 0 5.600M17 14.400c2.5.6 4 2.4 4 5.1" />
    </>
  ),
  smile: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M8.2 14.200c.8 1.7 2.2 2.5 3.8 2.500s3-.8 3.8-2.500M9 9.500v.6M15 9.500v.6" />
    </>
  ),
  settings: (
    <>
      <path d="M4 7h8M17.5 7H20M4 17h2.500M12 17h8" />
      <circle cx="14.7" cy="7" r="2.5" />
      <circle cx="9.2" cy="17" r="2.5" />
    </>
  ),
  help: (
    <>
      <rect x="2.5" y="6" width="19" height="12" rx="2.5" />
      <path d="M6.5 10h.01M10.2 10h.01M13.8 10h.01M17.5 10h.01M8 14h8" />
    </>
  ),
  leave: (
    <path d="M13 4H7.500A1.5 1.5 0 0 0 6 5.500v13A1.5 1.5 0 0 0 7.5 20H13M10.5 12H20M16.5 8.500L20 12l-3.5 3.5" />
  ),
  end: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M9 9l6 6M15 9l-6 6" />
    </>
  ),
  pin: <path d="M9 4h6l-1 6 3.5 3.500h-11L10 10zM12 13.500V20" />,
  unpin: (
    <>
      <path d="M9 4h6l-1 6 3.5 3.500h-11L10 10zM12 13.500V20" />
      {slash}
    </>
  ),
  close: <path d="M6 6l12 12M18 6L6 18" />,
  send: <path d="M4 12l16-7-5 15-3.5-6zM11.5 14L20 5" />,
  sound: (
    <path d="M4 9.500v5h3.500L12 18.500v-13L7.5 9.500zM15.5 9a4 4 0 0 1 0 6M18 6.500a7.5 7.5 0 0 1 0 11" />
  ),
  signal: <path d="M5 19v-3M10 19v-6M15 19V9M20 19V5" />,
  like: (
    <path d="M4 11h3.500v9H4zM7.5 11.500L11.5 4c1.5 0 2.3 1 2 2.500L13 10h5.500c1.3 0 2 1 1.7 2.200l-1.5 6c-.3 1.1-1 1.8-2.2 1.800H7.5" />
  ),
  heart: (
    <path d="M12 20s-8-4.8-8-10.500A4.4 4.4 0 0 1 12 7a4.4 4.4 0 0 1 8 2.500C20 15.2 12 20 12 20z" />
  ),
  applause: (
    <path d="M5 14.500l4.8-6.800a1.3 1.3 0 0 1 2.2 1.500l2-2.700a1.3 1.3 0 0 1 2.2 1.500l1.3-1.600a1.3 1.3 0 0 1 2 1.600l-1.8 6.800c-1 3.6-3 6.2-6.5 6.200S5 18.5 5 14.500zM6 5l1 2M10 2.500V5M2.5 9l2.2.8" />
  ),
  laugh: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M7.5 13h9c0 2.8-2 4.5-4.5 4.500S7.5 15.8 7.5 13zM8 9.500l2-.8M16 9.500l-2-.8" />
    </>
  ),
  surprised: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <ellipse cx="12" cy="15" rx="2" ry="2.5" />
      <path d="M9 9v.6M15 9v.6" />
    </>
  ),
} satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  );
}
