namespace ImageStore.Cli.Root;

/// <summary>Values that travel by their names.</summary>
internal static class WireNames
{
    /// <summary>The value of that name, matched exactly; null for what a newer daemon may know.</summary>
    public static T? Find<T>(string name)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (value.ToString() == name)
            {
                return value;
            }
        }

        return null;
    }
}
