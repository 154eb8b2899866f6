package join

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// attendance serves …/attendance.csv?report=ID to those who organize the meeting:
// a row for each interval. Without an id it is the last session.
func (h *Handler) attendance(w http.ResponseWriter, r *http.Request, m *meeting.Meeting) error {
	if ok, err := h.organizes(w, r, m); !ok {
		return err
	}
	reports, err := h.Meetings.ReportsOf(r.Context(), m)
	if err != nil {
		return err
	}
	id := r.URL.Query().Get("report")
	for _, report := range reports {
		if id == "" || report.ID == id {
			header := w.Header()
			header.Set("Content-Type", "text/csv; charset=utf-8; header=present")
			header.Set("Content-Disposition", `attachment; filename="attendance-`+report.Start.UTC().Format("2006-01-02")+`.csv"`)
			header.Set("Cache-Control", "no-store")
			header.Set("X-Content-Type-Options", "nosniff")
			return writeAttendance(csv.NewWriter(w), &report)
		}
	}
	h.problem(w, r, http.StatusNotFound, "problem.noReport")
	return nil
}

func writeAttendance(w *csv.Writer, report *meeting.Report) error {
	w.UseCRLF = true // RFC 4180
	rows := [][]string{{"Name", "Email", "Role", "Join time", "Leave time", "Seconds", "Total seconds"}}
	for _, a := range report.Records {
		for _, i := range a.Intervals {
			rows = append(rows, []string{
				cell(a.DisplayName), cell(a.Email), a.Role, i.Join.UTC().Format(time.RFC3339), i.Leave.UTC().Format(time.RFC3339),
				seconds(i.Leave.Sub(i.Join)), seconds(a.Total()),
			})
		}
	}
	_ = w.WriteAll(rows) // the client is gone, and nobody is left to tell
	return nil
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// cell keeps a spreadsheet from taking a text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}
