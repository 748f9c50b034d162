using ImageStore.Engine.Configuration;

namespace ImageStore.Daemon.Authorization;

/// <summary>What a rule gives to those whom it names.</summary>
/// <param name="Namespaces">Where.</param>
/// <param name="Rights">What.</param>
internal sealed record Grant(IReadOnlyList<NamespacePattern> Namespaces, AccessRights Rights)
{
    /// <summary>Does it give the right there?</summary>
    public bool Gives(string @namespace, AccessRights right)
    {
        if ((Rights & right) != right)
        {
            return false;
        }

        // By index: this runs for each event and each subscriber.
        for (var i = 0; i < Namespaces.Count; i++)
        {
            if (Namespaces[i].Matches(@namespace))
            {
                return true;
            }
        }

        return false;
    }
}
