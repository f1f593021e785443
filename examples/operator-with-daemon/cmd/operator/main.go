// Command operator would reconcile.
package main

import "fmt"

func main() { fmt.Println("Nothing to reconcile.") }
