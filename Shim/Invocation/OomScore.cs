using System.Globalization;
using System.Text;
using ImageStore.Shim.Cgroups;

namespace ImageStore.Shim.Invocation;

/// <summary>How willingly the kernel kills a process for want of memory.</summary>
internal static class OomScore
{
    private const int Highest = 1000;

    /// <summary>Gives the shim one more than whoever asked for it, so that containerd goes last.</summary>
    /// <remarks>Without privileges a score cannot be lowered; then the shim keeps the one that it has.</remarks>
    public static void Raise(int shim, int parent)
    {
        try
        {
            var line = CgroupFile.Lines($"/proc/{parent}", "oom_score_adj").FirstOrDefault();
            if (int.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score) && score < Highest)
            {
                File.WriteAllBytes($"/proc/{shim}/oom_score_adj", Encoding.ASCII.GetBytes((score + 1).ToString(CultureInfo.InvariantCulture)));
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // It is a preference.
        }
    }
}
