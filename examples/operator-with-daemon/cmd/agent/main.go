// Command agent would start the daemon of its node.
package main

import "fmt"

func main() { fmt.Println("No daemon to start.") }
