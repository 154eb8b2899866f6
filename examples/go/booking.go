// Package booking is an example: a booking system that gives each of its orders
// one meeting, with the standard library alone. Its test shows how graphtest
// stands in for Microsoft Graph. It knows nothing of Convene.
//
// Start at [Meetings.ForOrder].
package booking

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Meetings talks to Graph for one user.
type Meetings struct {
	Client *http.Client
	Root   string // of Graph: "https://graph.microsoft.com/v1.0"
	Token  string
	User   string // object id
}

// A Meeting is what a booking needs of one.
type Meeting struct {
	ID         string `json:"id,omitempty"`
	ExternalID string `json:"externalId,omitempty"`
	Subject    string `json:"subject,omitempty"`
	JoinWebURL string `json:"joinWebUrl,omitempty"`
	Start      string `json:"startDateTime,omitempty"`
	End        string `json:"endDateTime,omitempty"`
}

// ForOrder returns the order's meeting, made by the first call.
func (m *Meetings) ForOrder(ctx context.Context, order string) (meeting Meeting, made bool, err error) {
	status, err := m.call(ctx, http.MethodPost, "/createOrGet", Meeting{ExternalID: order, Subject: "Order " + order}, &meeting)
	return meeting, status == http.StatusCreated, err
}

// Move changes when a meeting takes place.
func (m *Meetings) Move(ctx context.Context, id, start, end string) (meeting Meeting, err error) {
	_, err = m.call(ctx, http.MethodPatch, "/"+id, Meeting{Start: start, End: end}, &meeting)
	return meeting, err
}

// ByLink finds the meeting with a join link.
func (m *Meetings) ByLink(ctx context.Context, link string) (Meeting, error) {
	var found struct{ Value []Meeting }
	if _, err := m.call(ctx, http.MethodGet, "?$filter="+url.QueryEscape("JoinWebUrl eq '"+link+"'"), nil, &found); err != nil {
		return Meeting{}, err
	}
	if len(found.Value) != 1 {
		return Meeting{}, fmt.Errorf("%d meetings have the link %s", len(found.Value), link)
	}
	return found.Value[0], nil
}

// Cancel deletes a meeting.
func (m *Meetings) Cancel(ctx context.Context, id string) error {
	_, err := m.call(ctx, http.MethodDelete, "/"+id, nil, nil)
	return err
}

func (m *Meetings) call(ctx context.Context, method, path string, body, into any) (int, error) {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return 0, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, m.Root+"/users/"+m.User+"/onlineMeetings"+path, &content)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+m.Token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := m.Client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.NewDecoder(answer.Body).Decode(&e); err != nil {
			return answer.StatusCode, fmt.Errorf("status %d, and no error in it: %w", answer.StatusCode, err)
		}
		return answer.StatusCode, fmt.Errorf("%s: %s", e.Error.Code, e.Error.Message)
	}
	if into != nil {
		err = json.NewDecoder(answer.Body).Decode(into)
	}
	return answer.StatusCode, err
}
