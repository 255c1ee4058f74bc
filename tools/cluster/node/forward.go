package node

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/websocket"
)

// follow goes on with a log until its reader leaves.
func follow(w http.ResponseWriter, r *http.Request) {
	for n := 1; ; n++ {
		http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(500 * time.Millisecond):
			fmt.Fprintf(w, "line %d\n", n)
		}
	}
}

// forward is a kubelet's port forward over a WebSocket (v4.channel.k8s.io), of one port: channel 0 has its data, channel 1
// its error, and each begins with the port. Whatever is asked, the pod answers with its name and port, as HTTP.
func forward(pod string) http.Handler {
	return websocket.Server{
		Handshake: func(c *websocket.Config, _ *http.Request) error {
			c.Protocol = []string{"v4.channel.k8s.io"}
			return nil
		},
		Handler: func(ws *websocket.Conn) {
			ws.PayloadType = websocket.BinaryFrame
			port, err := strconv.ParseUint(ws.Request().URL.Query().Get("port"), 10, 16)
			if err != nil {
				return
			}
			send := func(channel byte, data []byte) error {
				return websocket.Message.Send(ws, append([]byte{channel}, data...))
			}
			number := binary.LittleEndian.AppendUint16(nil, uint16(port))
			if send(0, number) != nil || send(1, number) != nil {
				return
			}
			if port == 9 {
				send(1, []byte("nothing listens on port 9 of the pod"))
				return
			}
			for {
				var data []byte
				if websocket.Message.Receive(ws, &data) != nil {
					return
				}
				if len(data) < 2 || data[0] != 0 {
					continue
				}
				body := fmt.Sprintf("%s:%d\n", pod, port)
				send(0, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s", len(body), body))
				return
			}
		},
	}
}
