# Reaches out of the call: refused when it is published, by the names of the builtins.
package reaching

decisions := {"rule": "ask", "effect": "allow"} if http.send({"method": "get", "url": "http://127.0.0.1/"}).status_code == 200
