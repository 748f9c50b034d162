using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>Things done one after another: a line each, or a JSON array.</summary>
internal static class Results
{
    /// <summary>Does <paramref name="act"/> to each; those that were done are told also when a later one fails.</summary>
    public static async Task EachAsync<T>(
        Session session, IEnumerable<T> things, Func<T, string> name, Func<T, Task> act)
    {
        List<string> done = [];
        try
        {
            foreach (var thing in things)
            {
                await act(thing).ConfigureAwait(false);
                done.Add(name(thing));
            }
        }
        finally
        {
            Write(session, done);
        }
    }

    /// <summary>Tells what was done.</summary>
    public static void Write(Session session, List<string> names)
    {
        if (session.Json)
        {
            Json.Write(names, Json.Default.IReadOnlyListString);
            return;
        }

        names.ForEach(name => Console.Out.WriteLine(Printable.Of(name)));
    }
}
