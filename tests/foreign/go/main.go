// A function with the runtime client that Go functions are built with.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	N    int  `json:"n"`
	Fail bool `json:"fail"`
}

func handle(ctx context.Context, asked event) (event, error) {
	if asked.Fail {
		return event{}, errors.New("as asked")
	}
	known, _ := lambdacontext.FromContext(ctx)
	fmt.Println("heard", known.AwsRequestID)
	return event{N: asked.N + 1}, nil
}

func main() {
	lambda.Start(handle)
}
