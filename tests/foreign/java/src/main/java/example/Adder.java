package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

/** A function for the runtime client of Lambda's Java runtimes. */
public class Adder implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    @Override
    public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        if (event.containsKey("fail")) {
            throw new IllegalStateException("as asked");
        }
        context.getLogger().log("heard " + context.getAwsRequestId() + "\n");
        return Map.of("n", ((Number) event.get("n")).intValue() + 1);
    }
}
