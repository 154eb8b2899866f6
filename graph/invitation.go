package graph

import (
	"html"
	"strings"

	"github.com/convene-meet/convene/meeting"
)

// The invitation is joinInformation.content: HTML for the body of a mail, as a
// form-encoded data URL. Mail clients know no stylesheets, no grid and no
// script: it is tables and inline styles, and reads well as plain text.

// words are what an invitation says in one language.
type words struct {
	tag, join, meetingID, passcode, dialIn, toll, conferenceID, findNumber, video, videoID, moreInfo, options string
}

// invitations are in the order of languages.
var invitations = [...]words{
	{"en", "Join the meeting", "Meeting ID", "Passcode", "Dial in by phone", "Toll", "Phone conference ID", "Find a local number", "Join on a video conferencing device", "Video ID", "More info", "Meeting options"},
	{"de", "An der Besprechung teilnehmen", "Besprechungs-ID", "Kennung", "Per Telefon einwählen", "Gebührenpflichtig", "Konferenz-ID für das Telefon", "Lokale Nummer suchen", "Mit einem Videokonferenzgerät teilnehmen", "Video-ID", "Weitere Informationen", "Besprechungsoptionen"},
	{"fr", "Rejoindre la réunion", "ID de réunion", "Code secret", "Rejoindre par téléphone", "Numéro payant", "ID de conférence téléphonique", "Trouver un numéro local", "Rejoindre avec un appareil de vidéoconférence", "ID vidéo", "Plus d’informations", "Options de la réunion"},
	{"es", "Unirse a la reunión", "ID de la reunión", "Código de acceso", "Llamar por teléfono", "Con cargo", "ID de conferencia telefónica", "Buscar un número local", "Unirse desde un dispositivo de videoconferencia", "ID de vídeo", "Más información", "Opciones de la reunión"},
}

// A slot is a place in the invitation that differs from meeting to meeting.
type slot int

const (
	slotNone slot = iota
	slotJoin
	slotMeetingID
	slotPasscode
	slotToll
	slotTollDigits
	slotConferenceID
	slotDialin
	slotVideoID
	slotMoreInfo
	slotOptions
)

// A piece is encoded text and the slot behind it.
type piece struct {
	text string
	slot slot
}

// A block is a part of the invitation that is there or not.
type block struct {
	pieces []piece
	when   func(*answer) bool
}

var slotNames = map[string]slot{
	"{join}": slotJoin, "{meeting}": slotMeetingID, "{passcode}": slotPasscode, "{toll}": slotToll, "{digits}": slotTollDigits,
	"{conference}": slotConferenceID, "{dialin}": slotDialin, "{video}": slotVideoID, "{more}": slotMoreInfo, "{options}": slotOptions,
}

const (
	invitationText  = `font-family:'Segoe UI',Helvetica,Arial,sans-serif;font-size:14px;line-height:22px;color:#1c2522`
	invitationQuiet = `color:#535e5a`
	invitationLink  = `color:#12594d`
)

// compiled are the invitations' blocks, one list a language, made once.
var compiled = func() (all [len(invitations)][]block) {
	for i, w := range invitations {
		all[i] = compile(w)
	}
	return all
}()

func compile(w words) []block {
	e := html.EscapeString
	row := func(name, value string) string {
		return `<tr><td style="padding:0 16px 0 0;` + invitationQuiet + `">` + e(name) + `:</td><td>` + value + `</td></tr>`
	}
	link := func(slot, text, style string) string {
		return `<a href="` + slot + `" style="` + invitationLink + style + `">` + text + `</a>`
	}
	head := func(text string) string {
		return `<tr><td colspan="2" style="padding:14px 0 0;font-weight:600">` + e(text) + `</td></tr>`
	}
	const rule = `<div style="border-top:1px solid #d3d5cf;margin:12px 0;height:1px;line-height:1px;font-size:1px">&#160;</div>`
	table := `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="` + invitationText + `">`
	return []block{
		{when: nil, pieces: pieces(`<div lang="` + w.tag + `" style="` + invitationText + `">` + rule + table +
			`<tr><td colspan="2" style="padding:0 0 8px">` + link("{join}", e(w.join), ";font-size:20px;line-height:28px;font-weight:600") + `</td></tr>` +
			row(w.meetingID, `{meeting}`))},
		{when: func(a *answer) bool { return a.meeting.Passcode != "" }, pieces: pieces(row(w.passcode, `{passcode}`))},
		{when: func(a *answer) bool { return a.meeting.ConferenceID != "" }, pieces: pieces(head(w.dialIn) +
			row(w.toll, link("tel:{digits},,{conference}#", "{toll}", "")) +
			row(w.conferenceID, `{conference}#`) +
			`<tr><td colspan="2">` + link("{dialin}", e(w.findNumber), "") + `</td></tr>`)},
		{when: func(a *answer) bool { return a.meeting.VideoTeleconferenceID != "" }, pieces: pieces(head(w.video) +
			row(w.videoID, `{video}`) + `<tr><td colspan="2">` + link("{more}", e(w.moreInfo), "") + `</td></tr>`)},
		{when: nil, pieces: pieces(`</table><p style="margin:14px 0 0">` + link("{options}", e(w.options), "") + `</p>` + rule + `</div>`)},
	}
}

// pieces splits a template at its slots and encodes what stands between.
func pieces(template string) []piece {
	var all []piece
	for template != "" {
		at, name := len(template), ""
		for n := range slotNames {
			if i := strings.Index(template, n); i >= 0 && i < at {
				at, name = i, n
			}
		}
		all = append(all, piece{string(appendPercent(nil, template[:at])), slotNames[name]})
		template = template[at+len(name):]
	}
	return all
}

// appendInvitation appends the content of joinInformation. It has no character
// that JSON would have to escape.
func (a *answer) appendInvitation(b []byte) []byte {
	b = append(b, "data%3Atext%2Fhtml%2C"...)
	var room [512]byte
	for _, block := range compiled[a.language] {
		if block.when != nil && !block.when(a) {
			continue
		}
		for _, p := range block.pieces {
			b = append(b, p.text...)
			if p.slot != slotNone {
				b = appendPercentHTML(b, a.appendSlot(room[:0], p.slot))
			}
		}
	}
	return b
}

func (a *answer) appendSlot(b []byte, s slot) []byte {
	m := a.meeting
	switch s {
	case slotJoin:
		return m.AppendLink(append(b, a.site.Origin...))
	case slotMeetingID:
		return append(b, meeting.Grouped(m.JoinMeetingID)...)
	case slotPasscode:
		return append(b, m.Passcode...)
	case slotToll:
		return append(b, m.TollNumber...)
	case slotTollDigits: // RFC 3966: no blanks
		for _, c := range []byte(m.TollNumber) {
			if c == '+' || c >= '0' && c <= '9' {
				b = append(b, c)
			}
		}
		return b
	case slotConferenceID:
		return append(b, m.ConferenceID...)
	case slotDialin:
		return m.AppendDialinLink(append(b, a.site.Origin...))
	case slotVideoID:
		return append(b, m.VideoTeleconferenceID...)
	case slotMoreInfo:
		return m.AppendShortLink(append(b, a.site.Origin...))
	case slotOptions:
		return m.AppendOptionsLink(append(b, a.site.Origin...))
	}
	return b
}

const upperHex = "0123456789ABCDEF"

// appendPercent appends s form-encoded (WHATWG URL, section 5.2): a blank is a
// plus, hex is in upper case.
func appendPercent(b []byte, s string) []byte {
	for i := range len(s) {
		b = appendPercentByte(b, s[i])
	}
	return b
}

func appendPercentByte(b []byte, c byte) []byte {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
		c == '-', c == '_', c == '.', c == '*':
		return append(b, c)
	case c == ' ':
		return append(b, '+')
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

// appendPercentHTML escapes for HTML first: whatever a value holds, it stays
// text, or the inside of an attribute.
func appendPercentHTML(b, value []byte) []byte {
	for _, c := range value {
		switch c {
		case '<':
			b = appendPercent(b, "&lt;")
		case '>':
			b = appendPercent(b, "&gt;")
		case '&':
			b = appendPercent(b, "&amp;")
		case '"':
			b = appendPercent(b, "&#34;")
		case '\'':
			b = appendPercent(b, "&#39;")
		default:
			b = appendPercentByte(b, c)
		}
	}
	return b
}
