// Who is in the room, who waits, and what those who may do about it.

import { useId, useState } from "preact/hooks";
import type { Act, Person, Role, Stay, WaitingPerson } from "./api.js";
import type { Call } from "./call.js";
import { Confirm, Dialog, Panel } from "./dialog.js";
import { hue, initials, labels } from "./names.js";
import { type Key, text } from "./texts.js";
import { describe } from "./tile.js";

export interface PeopleProps {
  stay: Stay;
  call: Call;
  act: (act: Act) => void;
  onClose: () => void;
}

const roles: Record<Role, Key> = {
  organizer: "roleOrganizer",
  coorganizer: "roleCoorganizer",
  presenter: "rolePresenter",
  attendee: "roleAttendee",
};

export function People({ stay, call, act, onClose }: PeopleProps) {
  const [removing, setRemoving] = useState<Person>();
  const [renaming, setRenaming] = useState(false);
  return (
    <Panel heading={text("people")} onClose={onClose}>
      <div class="panel-body">
        {stay.waiting.length > 0 && (
          <>
            <h3>{text("waitingHeading", { count: stay.waiting.length })}</h3>
            <WaitingList waiting={stay.waiting} act={act} />
          </>
        )}
        <h3>{text("inMeeting", { count: stay.people.length })}</h3>
        <ul class="people" aria-label={text("people")}>
          {stay.people.map((person) => (
            <li key={person.id} class="person">
              <span class={`avatar hue-${hue(person.name)}`} aria-hidden="true">
                {initials(person.name)}
              </span>
              <span class="person-name">
                <span dir="auto">
                  {person.label}
                  {person.me && ` (${text("you")})`}
                </span>
                <span class="quiet">
                  {text(roles[person.role])}
                  {person.guest && `, ${text("guest")}`}
                  {`, ${describe(person, call.feed(person))}`}
                </span>
              </span>
              <span class="person-actions">
                {person.me && stay.may.rename.allowed && (
                  <button type="button" class="small" onClick={() => setRenaming(true)}>
                    {text("rename")}
                  </button>
                )}
                {person.mayMute && (
                  <button
                    type="button"
                    class="small"
                    aria-label={text("muteName", { name: person.label })}
                    onClick={() => act({ do: "mute", target: person.id })}
                  >
                    {text("mute")}
                  </button>
                )}
                {person.role_changes.map((role) => (
                  <button
                    key={role}
                    type="button"
                    class="small"
                    onClick={() => act({ do: "role", target: person.id, role })}
                  >
                    {text(role === "presenter" ? "makePresenter" : "makeAttendee")}
                  </button>
                ))}
                {person.mayRemove && (
                  <button
                    type="button"
                    class="small danger"
                    aria-label={text("removeName", { name: person.label })}
                    onClick={() => setRemoving(person)}
                  >
                    {text("remove")}
                  </button>
                )}
              </span>
            </li>
          ))}
        </ul>
      </div>
      {stay.may.manage.allowed && (
        <footer class="panel-foot">
          <button type="button" class="button plain full" onClick={() => act({ do: "muteAll" })}>
            {text("muteEveryone")}
          </button>
        </footer>
      )}
      {removing && (
        <Confirm
          heading={text("removeHeading", { name: removing.label })}
          explanation={text("removeExplanation")}
          action={text("remove")}
          onConfirm={() => act({ do: "remove", target: removing.id })}
          onClose={() => setRemoving(undefined)}
        />
      )}
      {renaming && (
        <Rename
          name={stay.me.name}
          onRename={(name) => act({ do: "rename", name })}
          onClose={() => setRenaming(false)}
        />
      )}
    </Panel>
  );
}

function Rename(props: { name: string; onRename: (name: string) => void; onClose: () => void }) {
  const id = useId();
  const [name, setName] = useState(props.name);
  return (
    <Dialog heading={text("rename")} onClose={props.onClose}>
      <form method="dialog" onSubmit={() => name.trim() && props.onRename(name.trim())}>
        <div class="field">
          <label for={id}>{text("yourName")}</label>
          <input
            id={id}
            value={name}
            maxLength={64}
            autocomplete="name"
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </div>
        <div class="actions">
          <button type="submit" class="button">
            {text("save")}
          </button>
          <button type="button" class="button plain" onClick={props.onClose}>
            {text("cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export interface WaitingProps {
  waiting: readonly WaitingPerson[];
  act: (act: Act) => void;
}

/** WaitingList is those who wait, with what can be answered. */
export function WaitingList({ waiting, act }: WaitingProps) {
  const names = labels(waiting.map(({ name }) => name));
  return (
    <>
      <ul class="people" aria-label={text("waitingPeople")}>
        {waiting.map(({ id, guest }, index) => {
          const name = names[index] ?? "";
          return (
            <li key={id} class="person">
              <span class="person-name">
                <span dir="auto">{name}</span>
                {guest && <span class="quiet">{text("guest")}</span>}
              </span>
              <span class="person-actions">
                <button
                  type="button"
                  class="small strong"
                  aria-label={text("admitName", { name })}
                  onClick={() => act({ do: "admit", target: id })}
                >
                  {text("admit")}
                </button>
                <button
                  type="button"
                  class="small"
                  aria-label={text("declineName", { name })}
                  onClick={() => act({ do: "decline", target: id })}
                >
                  {text("decline")}
                </button>
              </span>
            </li>
          );
        })}
      </ul>
      <button type="button" class="button plain full" onClick={() => act({ do: "admitAll" })}>
        {text("admitAll")}
      </button>
    </>
  );
}
