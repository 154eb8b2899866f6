# One meeting for an order, with Microsoft.Graph. See ../README.md for the environment; the system has to trust CONVENE_CA
# (docs/ci.md says how). Not run here.
$ErrorActionPreference = 'Stop'
$url = $env:CONVENE_URL ?? 'https://localhost:8443'
$ann = 'c0ffee00-0001-4a00-8000-000000000002'
$order = "powershell-$PID"

Add-MgEnvironment -Name Convene -GraphEndpoint $url -AzureADEndpoint $url | Out-Null
$secret = New-Object pscredential 'a9900000-0001-4a00-8000-000000000001', (ConvertTo-SecureString 'booking-secret' -AsPlainText -Force)
Connect-MgGraph -Environment Convene -TenantId '5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10' -ClientSecretCredential $secret -NoWelcome

$first = Invoke-MgCreateOrGetUserOnlineMeeting -UserId $ann -ExternalId $order -Subject "Order $order"
$again = Invoke-MgCreateOrGetUserOnlineMeeting -UserId $ann -ExternalId $order
if ($again.Id -ne $first.Id) { throw 'two meetings for one order' }

Update-MgUserOnlineMeeting -UserId $ann -OnlineMeetingId $first.Id -StartDateTime '2031-02-06T09:00:00Z' -EndDateTime '2031-02-06T10:00:00Z' | Out-Null
$found = Get-MgUserOnlineMeeting -UserId $ann -Filter "JoinWebUrl eq '$($first.JoinWebUrl)'"
if ($found.Id -ne $first.Id) { throw 'the link leads elsewhere' }

Remove-MgUserOnlineMeeting -UserId $ann -OnlineMeetingId $first.Id
"one meeting for ${order}: $($first.JoinWebUrl)"
