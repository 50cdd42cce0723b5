// A function with the runtime client of Lambda's Node runtimes.
export async function handler(event, context) {
  if (event.fail) {
    throw new Error("as asked");
  }
  console.log("heard", context.awsRequestId);
  return { n: event.n + 1 };
}

export const stream = globalThis.awslambda?.streamifyResponse(async (event, answer) => {
  for (const piece of event.pieces) {
    answer.write(piece);
  }
  answer.end();
});
